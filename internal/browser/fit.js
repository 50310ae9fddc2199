// What does not fit on a page as it is shown, as a list of sentences: text that runs out
// of the box that it stands in, words that are broken although they are short, options of
// commands that are torn from their dashes.
(() => {
  const longest = 20; // letters of a word that has its place on a line of its own
  const bad = new Set();
  const name = (e) => `${e.tagName.toLowerCase()}.${e.getAttribute("class") || ""}`;
  const inline = (e) => ["inline", "contents"].includes(getComputedStyle(e).display);
  const scrolls = (e) => ["auto", "scroll"].includes(getComputedStyle(e).overflowX);
  const range = document.createRange();
  const rects = (node, from, to) => {
    range.setStart(node, from);
    range.setEnd(node, to);
    return [...range.getClientRects()].filter((r) => r.width > 0);
  };
  const lines = (list) => new Set(list.map((r) => Math.round(r.bottom / 3))).size;

  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) {
    const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > page.clientWidth + 1);
    bad.add(`the page scrolls sideways: ${page.scrollWidth} in ${page.clientWidth}: ${wide.slice(0, 3).map((e) => name(e) + " " + e.textContent.trim().slice(0, 40))}`);
  }

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, e = node.parentElement;
    if (!node.data.trim() || e.closest("svg, style, .unseen, .skip, thead") || !e.checkVisibility()) continue;
    const all = rects(node, 0, node.length);
    if (!all.length) continue;
    const right = Math.max(...all.map((r) => r.right));
    for (let box = e; box && box != document.documentElement; box = box.parentElement) {
      if (scrolls(box) && box.tabIndex >= 0) break;
      if (!inline(box) && right > box.getBoundingClientRect().right + 1) {
        bad.add(`${JSON.stringify(node.data.trim().slice(0, 40))} runs out of ${name(box)} by ${Math.ceil(right - box.getBoundingClientRect().right)}`);
        break;
      }
    }
    for (const found of node.data.matchAll(/\p{L}+/gu)) {
      if (found[0].length < 2 || found[0].length > longest) continue;
      const alone = /[\s\p{Pd},.;:()]/u;
      const [before, after] = [node.data[found.index - 1] ?? " ", node.data[found.index + found[0].length] ?? " "];
      if (alone.test(before) && alone.test(after) && lines(rects(node, found.index, found.index + found[0].length)) > 1)
        bad.add(`${found[0]} is broken in ${name(e)}`);
    }
    for (const found of node.data.matchAll(/--[a-z]/g))
      if (lines(rects(node, found.index, found.index + 3)) > 1) bad.add(`${node.data.slice(found.index, found.index + 20)} is torn from its dashes in ${name(e)}`);
  }

  // Labels that the style sheet puts before a cell are no text of the page.
  const probe = document.createElement("span");
  document.body.append(probe);
  for (const e of document.querySelectorAll("[data-label]")) {
    const style = getComputedStyle(e, "::before");
    if (style.content == "none" || !e.checkVisibility()) continue;
    probe.style.cssText = `position: absolute; white-space: nowrap; font: ${style.font}`;
    const room = parseFloat(style.width) - (style.boxSizing == "border-box" ? parseFloat(style.paddingRight) : 0);
    for (const word of e.dataset.label.split(/[\s\u00ad-]/)) {
      probe.textContent = word;
      if (probe.getBoundingClientRect().width > room + 0.5) bad.add(`${word} is broken in the label of ${name(e)}`);
    }
  }
  probe.remove();
  return [...bad];
})()
