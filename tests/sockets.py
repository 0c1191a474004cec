"""A process, and all that it starts, in which nobody gets an internet socket.

Native code opens sockets without Python, so it is the kernel that watches (seccomp, Linux on x86-64 and
ARM). Who asks for one is either killed or told that there is no network.
"""

KILLED, REFUSED = (
    0x80000000,
    0x00050000 + 101,
)  # the latter with the number of "network is unreachable"

FORBID = """
import ctypes, platform, struct, sys

def forbid_sockets(answer):
    number = {"x86_64": 41, "aarch64": 198}[platform.machine()]
    program = [
        (0x20, 0, 0, 0),  # which call?
        (0x15, 0, 4, number),
        (0x20, 0, 0, 16),  # of which family?
        (0x15, 1, 0, 2),
        (0x15, 0, 1, 10),
        (0x06, 0, 0, answer),
        (0x06, 0, 0, 0x7FFF0000),  # allow
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in program))
    filters = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filters, 0, 0):
        sys.exit(f"no seccomp: {ctypes.get_errno()}")
"""
"""Defines the function for a program of its own."""


def without_sockets(program: str, answer: int) -> str:
    """The program, which begins by giving up sockets."""
    return f"{FORBID}\nforbid_sockets({answer})\n{program}"
