// Keeps my shifts, the evening's own page and its note for where there is no signal, and nothing else of anybody. The network
// always comes first. The server begins this file with `version`, which changes with any file, and `shell`, what the
// kept pages are drawn with.

const shellName = `shell-${version}`;
const keptName = `kept-${version}`;
const patienceMilliseconds = 5_000;

const isKept = (path) => path === "/mine" || /^\/shifts\/\d+\/(walk|note)$/.test(path);
const tellsOfMine = (path) => /^\/bookings\/\d+$/.test(path);
const changesWho = (path) => path === "/me/forget" || /^\/(demo\/)?sign-(in|out)(\/|$)/.test(path);

async function put(path, answer) {
  if (answer.status >= 500) return;
  // Not signed in any more: nothing that was kept belongs to whoever looks now.
  if (answer.type === "opaqueredirect") return caches.delete(keptName);
  const kept = await caches.open(keptName);
  const seconds = Number(answer.headers.get("X-Lykta-Keep-Seconds"));
  if (!answer.ok || answer.redirected || !seconds) return kept.delete(path);
  const now = Date.now();
  const text = (await answer.text()).replace("<body", `<body data-saved-at="${now}"`);
  const headers = new Headers(answer.headers);
  for (const name of ["Content-Encoding", "Content-Length"]) headers.delete(name);
  headers.set("X-Lykta-Keep-Until", now + seconds * 1000);
  await kept.put(path, new Response(text, { headers }));
  const also = answer.headers.get("X-Lykta-Keep-Also");
  if (also && isKept(also)) await keep(also);
}

async function keep(path) {
  await put(path, await fetch(path, { redirect: "manual" }));
}

async function sweep() {
  const kept = await caches.open(keptName);
  for (const request of await kept.keys()) {
    const answer = await kept.match(request);
    if (Number(answer.headers.get("X-Lykta-Keep-Until")) < Date.now()) await kept.delete(request);
  }
  return kept;
}

async function withoutSignal(path) {
  const kept = await sweep();
  // On the evening itself, its page takes the place of Home.
  const evening = path === "/" && (await kept.keys()).find((request) => request.url.endsWith("/walk"));
  if (evening) return kept.match(evening);
  const mine = await kept.match("/mine");
  const language = mine?.headers.get("Content-Language") ?? "sv";
  return (await (await caches.open(shellName)).match(`/offline?in=${language}`)) ?? Response.error();
}

async function asked(event, path) {
  const answer = (await event.preloadResponse) ?? (await fetch(event.request));
  if (isKept(path)) event.waitUntil(put(path, answer.clone()));
  else if (answer.ok && tellsOfMine(path)) event.waitUntil(keep("/mine").catch(() => {}));
  return answer;
}

async function navigate(event, path) {
  const fromNetwork = asked(event, path);
  event.waitUntil(fromNetwork.catch(() => {}));
  const kept = isKept(path) ? await (await sweep()).match(path) : undefined;
  const tooLate = new Promise((_, refuse) => setTimeout(refuse, patienceMilliseconds));
  try {
    return await (kept ? Promise.race([fromNetwork, tooLate]) : fromNetwork);
  } catch {
    return kept ?? withoutSignal(path);
  }
}

async function drawn(request) {
  return (await (await caches.open(shellName)).match(request, { ignoreVary: true })) ?? fetch(request);
}

addEventListener("install", (event) => {
  const load = async () => {
    await (await caches.open(shellName)).addAll(shell);
    await skipWaiting();
  };
  event.waitUntil(load());
});

addEventListener("activate", (event) => {
  const begin = async () => {
    // What an older version kept is drawn with files that are gone: it is fetched again.
    const paths = new Set(["/mine"]);
    for (const name of await caches.keys()) {
      if (name === shellName || name === keptName) continue;
      if (name.startsWith("kept-")) for (const request of await (await caches.open(name)).keys()) paths.add(new URL(request.url).pathname);
      await caches.delete(name);
    }
    await registration.navigationPreload?.enable();
    await clients.claim();
    await Promise.allSettled([...paths].map(keep));
  };
  event.waitUntil(begin());
});

// A page that was there before the worker asks to be kept too.
addEventListener("message", (event) => {
  if (isKept(event.data)) event.waitUntil(keep(event.data).catch(() => {}));
});

addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (origin !== location.origin) return;
  if (changesWho(pathname)) {
    // Whoever comes next on this phone sees nothing; the request itself goes on untouched.
    if (method === "POST" || pathname.startsWith("/demo/")) event.waitUntil(caches.delete(keptName));
    return;
  }
  if (method !== "GET") return;
  if (mode === "navigate") event.respondWith(navigate(event, pathname));
  else if (pathname.startsWith("/static/")) event.respondWith(drawn(event.request));
});
