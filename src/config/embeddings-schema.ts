/** The section `features.embeddings` of the configuration. */
import { z } from 'zod'
import { about, name } from './schema-kit.js'

const embedding = z.strictObject({
  name: about(name, 'Name of the input.'),
  from: about(z.enum(['item', 'user']), 'Whose profile has the embedding.'),
  key: about(
    z.string().min(1).optional(),
    'Its name among the `embeddings` of the profile. Absent: the profile’s `embedding`.',
  ),
  size: about(z.int().min(1).max(4096), 'Numbers of an embedding. One of another size is read as none.'),
})

export const embeddings = about(
  z.array(embedding).max(8).default([]),
  'Pretrained embeddings of profiles, such as `millrace embed` makes them: inputs of the network, whose first layer is a learned projection of each; the fast part does not read them.',
)

export type EmbeddingConfig = z.output<typeof embedding>
