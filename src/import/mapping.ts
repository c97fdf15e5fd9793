/** What a mapping file may say: which columns of a CSV file make which events and profiles. */
import { z } from 'zod'

const column = z.string().min(1).meta({ description: 'Name of a column.' })

const attribute = z.union(
  [
    column.transform(name => ({ column: name })),
    z.strictObject({
      column,
      split: z.string().min(1).optional().meta({ description: 'Several values in one column: what is between them.' }),
      first: z.int().min(1).optional().meta({ description: 'Only so many characters from the start.' }),
      bands: z
        .array(z.number())
        .min(1)
        .optional()
        .meta({ description: 'A number becomes the band it lies in: rising lower bounds.' }),
    }),
  ],
  { error: 'expected the name of a column, or {column, split, first, bands}' },
)
export type AttributeMapping = {
  column: string
  split?: string | undefined
  first?: number | undefined
  bands?: number[] | undefined
}

const kind = z.enum(['impression', 'click', 'buy', 'rating'])
export type MappedKind = z.output<typeof kind>

const attributes = z.record(z.string(), attribute).default({})
const numbers = z.record(z.string(), column).default({})
const vectors = {
  embedding: column
    .optional()
    .meta({ description: 'Numbers with spaces, commas or semicolons between them, in brackets or not.' }),
  embeddings: z.record(z.string(), column).default({}),
}

export const mappingSchema = z.strictObject({
  delimiter: z
    .string()
    .min(1)
    .default(',')
    .meta({ description: 'Between two fields; may be longer than one character.' }),
  quote: z.union([z.string().length(1), z.literal(false)], { error: 'expected one character, or false' }).default('"'),
  encoding: z.enum(['utf-8', 'latin1']).default('utf-8'),
  header: z.boolean().default(true).meta({ description: 'Whether the first line names the columns.' }),
  columns: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .meta({ description: 'Names of the columns; needed without a header, and instead of its names with one.' }),
  missing: z
    .array(
      z.union([z.string(), z.number().transform(String)], {
        error: "expected a text; what YAML reads as something else needs quotes, such as 'NULL'",
      }),
    )
    .default([])
    .meta({ description: 'Texts that mean no value, beside the empty one.' }),
  time: z.strictObject({ column, unit: z.enum(['s', 'ms', 'us', 'iso']) }),
  event: z.union(
    [
      kind,
      z.strictObject({
        column,
        values: z.record(z.string(), z.enum([...kind.options, 'drop'])),
        otherwise: z.enum(['drop', 'fail']).default('fail'),
      }),
    ],
    { error: 'expected impression, click, buy or rating, or {column, values, otherwise}' },
  ),
  fields: z.strictObject({
    user: column,
    item: column,
    value: column.optional(),
    eventId: column.optional(),
    requestId: column.optional(),
    position: column.optional(),
  }),
  context: z.record(z.string(), column).default({}),
  profiles: z
    .strictObject({
      user: z.strictObject({ attributes, numbers, ...vectors }).optional(),
      item: z
        .strictObject({
          title: column.optional(),
          text: column.optional(),
          category: column.optional(),
          brand: column.optional(),
          price: column.optional(),
          attributes,
          numbers,
          ...vectors,
        })
        .optional(),
    })
    .prefault({}),
  partitions: z.int().min(1).max(64).default(1),
  onBadRow: z.enum(['fail', 'skip']).default('fail'),
})

export type Mapping = z.output<typeof mappingSchema>
export type MappingInput = z.input<typeof mappingSchema>

export interface ColumnReference {
  path: readonly string[]
  column: string
}

/** Every column that the mapping names, and where it does. */
export function columnReferences(mapping: Mapping): ColumnReference[] {
  const found: ColumnReference[] = []
  const add = (path: string[], name: string | undefined) => {
    if (name !== undefined) found.push({ path, column: name })
  }
  add(['time', 'column'], mapping.time.column)
  if (typeof mapping.event === 'object') add(['event', 'column'], mapping.event.column)
  for (const [key, name] of Object.entries(mapping.fields)) add(['fields', key], name)
  for (const [key, name] of Object.entries(mapping.context)) add(['context', key], name)
  for (const [entity, profile] of Object.entries(mapping.profiles)) {
    for (const [key, part] of Object.entries(profile ?? {})) {
      const path = ['profiles', entity, key]
      if (typeof part === 'string') add(path, part)
      else
        for (const [name, value] of Object.entries(part ?? {}))
          add([...path, name], typeof value === 'string' ? value : value.column)
    }
  }
  return found
}
