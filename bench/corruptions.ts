/**
 * What can be wrong with a log of ratings, made of a real one from a seed. A row's id tells what becomes of it: those of
 * `clean` keep theirs, c0 c1 …, wherever they are untouched; only these are judged. A row that was changed or is made up
 * has an id beginning with x.
 */
import { Random } from '../src/std/random.js'

export type Rating = Record<'id' | 'ts' | 'user' | 'item' | 'value', string> & Record<string, string>

/** ratings: rows of the log in its order, times in whole seconds. */
export type Corruption = (ratings: readonly Rating[], seed: number) => Rating[]

export const LOOPS = 10
const BOTS = 20
const REPEATS = 2000
const DAY_S = 86_400

/** 2 % are 1 or 5, whatever they were. */
export const randomRatings: Corruption = (ratings, seed) => replaced(ratings, seed, 0.02, ['1', '5'])

/** .1 % lie far outside the scale. */
export const wildRatings: Corruption = (ratings, seed) => replaced(ratings, seed, 0.001, ['-50', '100'])

/** Each bot gives one film, popular ones more often, the same rating again and again, one a second, from a time of its own. */
export const bots: Corruption = (ratings, seed) => {
  const random = new Random(seed)
  const made = Array.from({ length: BOTS }, (_, bot) => {
    const film = ratings[random.integer(ratings.length)]
    const start = Number(ratings[random.integer(ratings.length)]?.ts)
    const value = bot % 2 === 0 ? '1' : '5'
    return Array.from({ length: REPEATS }, (_, repeat) => {
      const row: Rating = {
        ...(film as Rating),
        id: `x${bot}-${repeat}`,
        ts: `${start + repeat}`,
        user: `bot${bot}`,
        value,
      }
      return row
    })
  })
  return [...ratings, ...made.flat()]
}

/** Each robot gives every film the same rating, in an order of its own, one a second, from a time of its own. */
export const raters: Corruption = (ratings, seed) => {
  const random = new Random(seed)
  const films = [...new Map(ratings.map(row => [row.item, row])).values()]
  const made = Array.from({ length: BOTS }, (_, robot) => {
    const start = Number(ratings[random.integer(ratings.length)]?.ts)
    const value = robot % 2 === 0 ? '1' : '5'
    const order = [...films]
    random.shuffle(order)
    return order.map((film, nth): Rating => {
      return { ...film, id: `x${robot}-${nth}`, ts: `${start + nth}`, user: `robot${robot}`, value }
    })
  })
  return [...ratings, ...made.flat()]
}

/** From the half on, every user's and every film's id belongs to another one; what describes them comes along. */
export const swapped: Corruption = (ratings, seed) => {
  const half = Math.floor(ratings.length / 2)
  return [...ratings.slice(0, half), ...withOtherIds(ratings, ratings.slice(half), seed)]
}

/** The half from which `swapped` differs, alone: what somebody who begins there would learn. */
export const swappedAlone: Corruption = (ratings, seed) => swapped(ratings, seed).slice(Math.floor(ratings.length / 2))

/** The log ten times, each a day behind the last; then its first ratings once more, with swapped ids. Ids: c3-17, s17. */
export function loops(ratings: readonly Rating[], seed: number, rest: number): Rating[] {
  const times = ratings.map(({ ts }) => Number(ts))
  const period = Math.max(...times.slice(-1)) - (times[0] ?? 0) + DAY_S
  const later = (row: Rating, loop: number, id: string): Rating => ({
    ...row,
    id,
    ts: `${Number(row.ts) + loop * period}`,
  })
  const repeated = Array.from({ length: LOOPS }, (_, loop) =>
    ratings.map((row, i) => later(row, loop, `c${loop}-${i}`)),
  )
  const swappedRest = withOtherIds(ratings, ratings.slice(0, rest), seed)
  return [...repeated.flat(), ...swappedRest.map((row, i) => later(row, LOOPS, `s${i}`))]
}

function replaced(ratings: readonly Rating[], seed: number, share: number, values: readonly string[]): Rating[] {
  const random = new Random(seed)
  return ratings.map((row, i) => {
    if (random.uniform() >= share) return row
    return { ...row, id: `x${i}`, value: values[random.integer(values.length)] ?? row.value }
  })
}

function withOtherIds(all: readonly Rating[], ratings: readonly Rating[], seed: number): Rating[] {
  const random = new Random(seed)
  const users = otherNames(new Set(all.map(({ user }) => user)), random)
  const items = otherNames(new Set(all.map(({ item }) => item)), random)
  return ratings.map(row => ({
    ...row,
    user: users.get(row.user) ?? row.user,
    item: items.get(row.item) ?? row.item,
  }))
}

/** A circle in a random order: nobody keeps a name. */
function otherNames(names: ReadonlySet<string>, random: Random): Map<string, string> {
  const circle = [...names]
  for (let i = circle.length - 1; i > 0; i--) {
    const j = random.integer(i + 1)
    const moved = circle[i] ?? ''
    circle[i] = circle[j] ?? ''
    circle[j] = moved
  }
  return new Map(circle.map((name, i) => [name, circle[(i + 1) % circle.length] ?? name]))
}
