for (const table of document.querySelectorAll("table.sortable")) {
  let column = 0;
  for (const head of table.tHead.rows[0].cells) {
    const at = column + head.colSpan - 1;
    column += head.colSpan;
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.onclick = () => {
      const up = head.ariaSort === "descending";
      for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
      head.ariaSort = up ? "ascending" : "descending";
      const key = (row) => {
        const text = row.cells[at].textContent;
        const number = Number(text.replace(/,/g, ""));
        return Number.isNaN(number) ? text : number;
      };
      const order = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
        const way = x < y ? -1 : x > y ? 1 : 0;
        return up ? way : -way;
      };
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(order));
    };
  }
}
