/** On every page: registers the worker that takes what other apps share with Asli. */

navigator.serviceWorker?.register("/sw.js").catch(() => {}); // a browser that forbids it has no share menu either
