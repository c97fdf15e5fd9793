export interface Cell {
  text: string
  /** Applied after padding, so that escape sequences do not count as width. */
  style: (text: string) => string
}

export interface TableOptions {
  /** So many columns from the left are flush left; the others are figures, flush right. */
  left: number
  headerStyle: (text: string) => string
}

/** Aligned columns with two spaces between them. Rows are as long as the header. */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): string {
  const widths = header.map((title, column) =>
    Math.max(width(title), ...rows.map(row => width(row[column]?.text ?? ''))),
  )
  const pad = (text: string, column: number) => {
    const space = ' '.repeat(Math.max((widths[column] ?? 0) - width(text), 0))
    return column < options.left ? text + space : space + text
  }
  const lines = [header.map((title, column) => options.headerStyle(pad(title, column)))]
  for (const row of rows) lines.push(row.map((cell, column) => cell.style(pad(cell.text, column))))
  return lines.map(line => line.join('  ').trimEnd()).join('\n')
}

/** Columns a text takes in a terminal, near enough: East Asian wide characters take two, combining marks none. */
function width(text: string): number {
  let columns = 0
  for (const character of text.normalize('NFC')) {
    if (/\p{Mark}/u.test(character)) continue
    columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(
      character,
    )
      ? 2
      : 1
  }
  return columns
}

/** The widest line. */
export function textWidth(text: string): number {
  return Math.max(...text.split('\n').map(width))
}
