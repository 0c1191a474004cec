/** Takes what other apps share with Asli, and hands it to the page. It touches nothing else and keeps nothing offline. */

const SHARE = /^(\/\w+)?\/share$/;
const SHELF = "shared";

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { pathname } = new URL(url);
  if (method === "POST" && SHARE.test(pathname)) event.respondWith(take(event.request, pathname));
});

async function take(request, pathname) {
  const files = (await request.formData()).getAll("files");
  await caches.delete(SHELF);
  const shelf = await caches.open(SHELF);
  await Promise.all(
    files.map((file, i) => shelf.put(`/shared/${i}`, new Response(file, { headers: { "X-Name": encodeURIComponent(file.name) } }))),
  );
  return Response.redirect(pathname.replace("/share", "/detect.html#shared"), 303);
}
