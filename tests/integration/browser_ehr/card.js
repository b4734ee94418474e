// A card as a browser shows it. Of GitHub-flavoured Markdown: paragraphs, bold, tables, escapes. Text stays text.

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

function inline(text) {
  const parts = text.split(/((?<!\\)\*\*.+?(?<!\\)\*\*)/);
  const plain = (part) => part.replace(/\\([!-/:-@[-`{-~])/g, "$1");
  return parts.filter(Boolean).map((part) =>
    part.startsWith("**") ? element("strong", plain(part.slice(2, -2))) : plain(part),
  );
}

function table(rows) {
  const cells = (row) => row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());
  const [head, , ...body] = rows;
  const made = (row, name) => element("tr", ...cells(row).map((cell) => element(name, ...inline(cell))));
  return element("table", element("thead", made(head, "th")), element("tbody", ...body.map((row) => made(row, "td"))));
}

function block(text) {
  return text.startsWith("|") ? table(text.split("\n")) : element("p", ...inline(text));
}

export function shownCard(card) {
  const link = element("a", card.source.label);
  link.href = card.source.url;
  const blocks = (card.detail ?? "").split("\n\n").filter(Boolean).map(block);
  const shown = element("section", element("h2", card.summary), ...blocks, element("footer", "Source: ", link));
  shown.className = "card";
  shown.dataset.indicator = card.indicator;
  return shown;
}
