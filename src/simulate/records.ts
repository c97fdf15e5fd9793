/** The shop's records as the log takes them, and when they reach it. */
import type { EventKind } from '../domain/event.js'
import type { LogRecords, LogWriter } from '../sink/sink.js'
import { type Catalogue, categoryName, itemId } from './catalogue.js'
import { genderName, type Population, userId } from './population.js'

/** A record of some kind. */
export type Entry = { [K in EventKind]: { kind: K; record: LogRecords[K] } }[EventKind]

/** A record on its way; when it reaches the log and its event time are two matters. */
export type Scheduled = Entry & { arrivalMs: number; partition: number }

export interface Stamp {
  eventId: string
  eventTime: number
}

export function itemProfile(items: Catalogue, item: number, stamp: Stamp): Entry {
  const record = {
    ...stamp,
    id: itemId(item),
    title: items.title(item),
    text: items.text(item),
    category: categoryName(items.category[item] ?? 0),
    brand: items.brandName(item),
    price: items.price[item] ?? 0,
  }
  return { kind: 'item', record }
}

export function userProfile(users: Population, user: number, stamp: Stamp): Entry {
  const record = {
    ...stamp,
    id: userId(user),
    attributes: { gender: [genderName(users.gender[user] ?? 0)], city: [`city-${users.city[user] ?? 0}`] },
    numbers: { age: users.age[user] ?? 0 },
  }
  return { kind: 'user', record }
}

/** The switch only tells the compiler that kind and record belong together. */
export function writeEntry(writer: LogWriter, partition: number, entry: Entry): void {
  writer.write(partition, entry.kind, entry.record as LogRecords[typeof entry.kind])
}
