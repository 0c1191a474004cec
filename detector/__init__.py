"""Bytes in, Analysis out: does an image show signs of having been made by AI?"""
