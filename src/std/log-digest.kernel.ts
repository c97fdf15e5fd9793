/** A checksum of a log of words that grows with it: of all entries in their order, however they were handed on. */
export class LogDigest {
  #lo = 0x9e3779b9
  #hi = 0x85ebca6b

  add(words: Uint32Array, from: number, to: number): void {
    let a = this.#lo
    let b = this.#hi
    for (let at = from; at < to; at++) {
      a = Math.imul(a ^ words[at]!, 0xcc9e2d51)
      a ^= a >>> 15
      b = Math.imul(b ^ (words[at]! + a), 0x1b873593)
      b ^= b >>> 13
      a = (Math.imul(a, 5) + b) | 0
    }
    this.#lo = a >>> 0
    this.#hi = b >>> 0
  }

  /** Sixteen hexadecimal digits. */
  get text(): string {
    return this.#hi.toString(16).padStart(8, '0') + this.#lo.toString(16).padStart(8, '0')
  }

  restore(text: string): void {
    this.#hi = Number.parseInt(text.slice(0, 8), 16)
    this.#lo = Number.parseInt(text.slice(8), 16)
  }
}
