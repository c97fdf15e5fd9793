/** What the model answers over HTTP, as the playground asks it. */
import { ask } from './api.js'

export interface ModelInfo {
  version: number
  ageSeconds: number
  state: string
  /** The version that stays. */
  pinned?: number
  tasks: { name: string; head: string; rank: number }[]
}

export interface RankedItem {
  item: string
  score: number
  values: Record<string, number>
  rank: number
}

export interface Explanation {
  version: number
  tasks: Record<
    string,
    {
      value: number
      /** Of a categorical task: probabilities. */
      classes?: Record<string, number>
      parts: { name: string; value: number }[]
      slots: { name: string; contribution: number }[]
      gates?: number[]
    }
  >
}

export interface Neighbour {
  item: string
  score: number
}

export interface UserEvent {
  item: string
  /** Decayed number of times. */
  weight: number
  eventTime: number
}

export interface KnownVersion {
  version: number
  kind: string
  eventTime: number
  outcome: string
}

const path = (id: string) => encodeURIComponent(id)

export const modelInfo = (signal?: AbortSignal) => ask<ModelInfo>('/v1/model', undefined, signal)

export const topItems = (user: string, size: number, weights: Record<string, number>, signal?: AbortSignal) =>
  ask<{ version: number; items: RankedItem[] }>('/v1/top', { user, size, weights }, signal)

export const explain = (user: string, item: string, signal?: AbortSignal) =>
  ask<Explanation>('/v1/explain', { user, item }, signal)

export const similar = async (item: string, size: number, signal?: AbortSignal) =>
  (await ask<{ items: Neighbour[] }>(`/v1/items/${path(item)}/similar?size=${size}`, undefined, signal)).items

/** Some users who had something lately. */
export const someUsers = async (size: number) => (await ask<{ users: string[] }>(`/v1/users?size=${size}`)).users

/** What the user has had, newest first. */
export async function recentEvents(user: string): Promise<UserEvent[]> {
  return (await ask<{ recent: UserEvent[] }>(`/v1/users/${path(user)}`)).recent
}

/** Newest last. */
export const knownVersions = async () => (await ask<{ versions: KnownVersion[] }>('/v1/versions')).versions

/** Stay at this version; undefined: at none. */
export const pinTo = (version: number | undefined) =>
  version === undefined
    ? ask<ModelInfo>('/v1/model/pin', undefined, undefined, 'DELETE')
    : ask<ModelInfo>('/v1/model/pin', { version }, undefined, 'PUT')
