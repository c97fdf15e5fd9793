/** tasks[].segments: how much a label counts by the segment of its example. */
import { z } from 'zod'
import { EXPERIENCE_BANDS } from '../domain/experience.js'
import { about, name } from './schema-kit.js'

const factor = z.number().min(0).max(100)
const bands = z.array(factor).length(EXPERIENCE_BANDS.length)

export const segments = about(
  z
    .strictObject({
      user: about(
        bands.optional(),
        'Factors on `prior` by how many events the user had had when the example came: six numbers, for 0, 1–2, 3–5, 6–10, 11–20 and more events. [2, 2, 1, 1, 1, 1] lets examples of new users count twice.',
      ),
      item: about(bands.optional(), 'The same of the item.'),
      slots: about(
        z.record(name, z.record(z.string(), factor)).optional(),
        'Factors by the values of slots that are `from` an attribute or a field of the context: {category: {shoes: 2}} lets examples of shoes count twice. All factors that apply are multiplied.',
      ),
    })
    .optional(),
  'How much a label counts in the network by the segment of its example. 0 leaves it out there; the fast part learns all alike.',
)
