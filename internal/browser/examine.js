// What is wrong with a page as it is shown, as a list of sentences.
(() => {
  const bad = [], page = document.documentElement;
  const name = (e) => `${e.tagName.toLowerCase()}${e.id ? "#" + e.id : ""}.${e.getAttribute("class") || ""} ${JSON.stringify(e.textContent.trim().slice(0, 40))}`;
  const shown = (e) => e.checkVisibility() && e.getClientRects().length > 0;

  if (page.scrollWidth > page.clientWidth) {
    const wide = [...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > page.clientWidth + 1 && !e.parentElement.closest(".table-wrap, .drawing-box"));
    bad.push(`page is ${page.scrollWidth} wide in a window of ${page.clientWidth}: ${wide.slice(0, 3).map(name)}`);
  }
  for (const e of document.querySelectorAll(".table-wrap, .drawing-box"))
    if (e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX != "visible" && e.tabIndex < 0) bad.push(`${name(e)} scrolls, but not by keyboard`);

  let level = 0;
  for (const e of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const next = Number(e.tagName[1]);
    if (next > level + 1) bad.push(`heading ${name(e)} stands below one of level ${level}`);
    level = next;
  }
  for (const e of document.querySelectorAll("table")) if (!e.caption) bad.push(`${name(e)} has no caption`);
  for (const e of document.querySelectorAll("th")) if (!e.scope) bad.push(`${name(e)} has no scope`);
  for (const e of document.querySelectorAll("svg:not([aria-hidden])"))
    if (!(e.getAttribute("aria-labelledby") || "").split(" ").every((id) => document.getElementById(id)?.textContent)) bad.push(`${name(e)} has no words`);
  for (const e of document.querySelectorAll("a[href^='#']")) if (!document.getElementById(e.hash.slice(1))) bad.push(`${name(e)} leads nowhere`);
  const ids = new Set();
  for (const e of document.querySelectorAll("[id]")) ids.has(e.id) ? bad.push(`id ${e.id} is given twice`) : ids.add(e.id);

  // WCAG 2.2, contrast (minimum): 4.5 to 1, here for text of every size.
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => numbers(color).slice(0, 3).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const opaque = (color) => color.startsWith("rgb") && (numbers(color)[3] ?? 1) > 0;
  const behind = (x, y) => {
    for (const other of document.elementsFromPoint(x, y)) {
      const style = getComputedStyle(other);
      if (other instanceof SVGElement && !(other instanceof SVGSVGElement)) {
        if (!(other instanceof SVGTextContentElement) && opaque(style.fill)) return style.fill;
      } else if (opaque(style.backgroundColor)) return style.backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  // Texts of the same make stand on the same ground: one of them is enough.
  const make = (e) => [e, e.previousElementSibling, e.parentElement, e.parentElement.parentElement].map((x) => x && x.tagName + x.getAttribute("class")).join();
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, e = node.parentElement;
    if (!node.data.trim() || ["STYLE", "title", "desc"].includes(e.tagName) || seen.has(make(e)) || !shown(e)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getClientRects()[0];
    if (!box) continue;
    const x = box.left + box.width / 2, y = box.top + box.height / 2, hit = document.elementsFromPoint(x, y);
    if (!hit.includes(e instanceof SVGElement ? e.ownerSVGElement : e)) continue; // scrolled out of its box
    seen.add(make(e));
    const front = e instanceof SVGElement ? getComputedStyle(e).fill : getComputedStyle(e).color;
    const back = behind(x, y);
    const [a, b] = [luminance(front), luminance(back)], ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`contrast of ${name(e)} is ${ratio.toFixed(2)}: ${front} on ${back}`);
  }
  return bad;
})()
