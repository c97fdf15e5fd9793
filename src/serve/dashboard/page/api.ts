/** Requests to the server that the page came from, with the API key if one was given. */

const KEY = 'millrace-key'

export class ApiError extends Error {
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

/** The key that was given, if any, does not reach that far. */
export function isRefused(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403)
}

/** Kept for this tab only. */
export function keepKey(key: string): void {
  try {
    sessionStorage.setItem(KEY, key)
  } catch {
    given = key
  }
}

let given: string | undefined

export function keptKey(): string | undefined {
  try {
    return given ?? sessionStorage.getItem(KEY) ?? undefined
  } catch {
    return given
  }
}

export function authorization(): Record<string, string> {
  const key = keptKey()
  return key === undefined ? {} : { authorization: `Bearer ${key}` }
}

export async function ask<T>(
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  method = body === undefined ? 'GET' : 'POST',
): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: { ...authorization(), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  })
  if (!response.ok) throw new ApiError(response.status, await detailOf(response))
  return (await response.json()) as T
}

async function detailOf(response: Response): Promise<string> {
  try {
    const { detail, title } = (await response.json()) as { detail?: string; title?: string }
    return detail ?? title ?? response.statusText
  } catch {
    return response.statusText
  }
}
