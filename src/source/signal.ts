/** Wakes who waits. One waiter at a time; a notification that comes before the wait is not lost. */
export class Signal {
  #isSet = false
  #wake: (() => void) | undefined

  notify(): void {
    this.#isSet = true
    this.#wake?.()
  }

  /** Until notified, or for so long. */
  async wait(ms: number): Promise<void> {
    if (!this.#isSet) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>(resolve => {
        this.#wake = resolve
        timer = setTimeout(resolve, ms)
      })
      clearTimeout(timer)
      this.#wake = undefined
    }
    this.#isSet = false
  }
}
