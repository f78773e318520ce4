import "./style.css";

/** An element with classes, text and children. */
function element(tag, classes, ...children) {
  const made = document.createElement(tag);
  made.className = classes;
  made.append(...children);
  return made;
}

async function json(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

const CONDITIONS = {
  ok: "border-soul-500/40 text-soul-300",
  up: "border-soul-500/40 text-soul-300",
  absent: "border-white/15 text-slate-400",
  down: "border-rose-500/50 text-rose-300",
};

function condition(name, value) {
  return element(
    "div",
    `flex items-baseline gap-2 rounded-full border px-4 py-1.5 ${CONDITIONS[value] ?? CONDITIONS.down}`,
    element("dt", "text-slate-500", name),
    element("dd", "font-medium", value),
  );
}

function route(path) {
  return element("li", "rounded bg-black/30 px-2 py-1 font-mono text-xs text-soul-300", path);
}

function member({ name, role, distribution, version, summary, routes }) {
  const ring = role === "core" ? "ring-soul-500/60" : "ring-white/10";
  return element(
    "article",
    `flex flex-col rounded-2xl bg-white/5 p-6 ring-1 transition hover:bg-white/10 ${ring}`,
    element(
      "div",
      "flex items-baseline justify-between gap-4",
      element("h2", "text-xl font-semibold text-white", name),
      element("span", "font-mono text-xs text-slate-500", `${distribution} ${version}`),
    ),
    element("p", "mt-2 grow", summary),
    element("ul", "mt-4 flex flex-wrap gap-2", ...routes.map(route)),
  );
}

async function show() {
  const [members, health] = [document.getElementById("members"), document.getElementById("health")];
  try {
    const [listed, { status, database }] = await Promise.all([json("/members"), json("/health")]);
    members.replaceChildren(...listed.map(member));
    health.replaceChildren(condition("application", status), condition("database", database));
  } catch (error) {
    members.replaceChildren(element("p", "rounded-2xl bg-rose-950/60 p-6 text-rose-200", `The body does not answer: ${error.message}`));
    health.replaceChildren(condition("application", "down"));
  } finally {
    members.setAttribute("aria-busy", "false");
  }
}

show();
