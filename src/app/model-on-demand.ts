/**
 * The model's routes in a process that learns: they follow what it publishes, like any follower, but only once somebody
 * asks. So nobody pays for a second copy of the model who does not look at it, and what is answered is what was published.
 */
import type { Follower } from '../serve/follower.js'
import type { HttpPlugin } from '../serve/http/plugin.js'

/** Longest that the first question waits for a version. */
const PATIENCE_MS = 3000

export interface ModelOnDemand {
  routes: HttpPlugin
  close(): Promise<void>
}

/** refusal: why it can not be asked now, if it can not. */
export function modelOnDemand(open: () => Promise<Follower>, refusal: () => string | undefined): ModelOnDemand {
  let opening: Promise<Follower> | undefined
  let follower: Follower | undefined
  let isClosed = false

  async function opened(): Promise<void> {
    opening ??= open()
    follower = await opening
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise(resolve => {
      timer = setTimeout(resolve, PATIENCE_MS)
    })
    await Promise.race([follower.ready().catch(() => {}), patience])
    clearTimeout(timer)
  }

  // The routes are made before there is a follower; none of them is reached without one.
  const later = new Proxy({} as Follower, {
    get(_, name) {
      const value = follower?.[name as keyof Follower]
      return typeof value === 'function' ? value.bind(follower) : value
    },
  })

  return {
    async routes(app, options) {
      const [{ createModelRoutes }, { HttpProblem }] = await Promise.all([
        import('../serve/http/model-routes.js'),
        import('../serve/http/problem.js'),
      ])
      app.addHook('preHandler', async () => {
        const reason = isClosed ? 'it is being closed' : refusal()
        if (reason !== undefined)
          throw new HttpProblem(503, `the model can not be asked: ${reason}`, { 'retry-after': '2' })
        if (follower === undefined) await opened()
      })
      await createModelRoutes(later)(app, options)
    },
    async close() {
      isClosed = true
      const held = await opening?.catch(() => undefined)
      await held?.close()
    },
  }
}
