/** `source`: where events come from, and what is read of them. */
import { z } from 'zod'
import { kafkaSource } from './kafka-schema.js'
import { about, secret } from './schema-kit.js'

export const source = z.strictObject({
  log: about(
    z.string().default('.data/log'),
    'Folder of the event log: partitions of Avro segment files. Relative to the configuration file.',
    { env: 'MILLRACE_LOG' },
  ),
  follow: about(
    z.boolean().default(false),
    'Wait for new segments and records at the end of the log instead of stopping.',
  ),
  import: about(
    z
      .strictObject({
        file: about(z.string(), 'The CSV file. Relative to the configuration file.'),
        mapping: about(z.string(), 'The mapping of its columns. Relative to the configuration file.'),
      })
      .optional(),
    'If the log folder is not there: import this CSV file by this mapping first.',
  ),
  simulate: about(
    z
      .strictObject({
        seed: about(z.int().default(1), 'Same seed, same bytes.'),
        events: about(z.int().min(1).default(200_000), 'About how many records the log gets.', { unit: 'records' }),
        users: about(z.int().min(1).default(2_000), 'Users at the start; new ones arrive over time.'),
        items: about(z.int().min(1).default(1_000), 'Items at the start; new ones arrive over time.'),
        days: about(z.number().positive().default(30), 'Length of the simulated time.', { unit: 'days' }),
        partitions: about(
          z.int().min(1).max(64).default(2),
          'Partitions of the log; a user always falls into the same one.',
        ),
        bots: about(z.number().min(0).max(0.5).default(0.01), 'Share of users who are bots.'),
        malformed: about(z.number().min(0).max(0.5).default(0.001), 'Share of records that are malformed.'),
        explore: about(
          z.number().min(0).max(1).optional(),
          'Share of pages that are put into a random order; their impressions say in context.propensity how probable their place was. Absent: none.',
        ),
        driftDay: about(
          z.number().positive().optional(),
          'On this day the shop changes at once: users take over the taste of others, what was good is bad, everybody clicks more. Absent: never.',
          { unit: 'days' },
        ),
      })
      .optional(),
    'If the log folder is not there: simulate a shop into it first.',
  ),
  kafka: about(kafkaSource.optional(), 'Read events from Kafka topics instead of a log folder.'),
  maxDecodeBytes: about(z.int().min(1024).default(1_048_576), 'A record larger than this is a dead letter.', {
    unit: 'bytes',
  }),
  maxIdBytes: about(z.int().min(32).default(512), 'An id longer than this is a dead letter.', { unit: 'bytes' }),
  pseudonyms: about(
    z
      .strictObject({
        key: secret(
          z.string({ error: 'expected the key of the pseudonyms, in MILLRACE_PSEUDONYM_KEY or a file' }).min(16),
          'The key, at least 16 characters, such as `openssl rand -hex 32` prints. Another key is another model.',
          'MILLRACE_PSEUDONYM_KEY',
        ),
      })
      .optional(),
    'Users are known by pseudonyms only, made of their ids with a key: in all that is kept, published and answered. Followers need the same key, and are asked with the ids that applications have. Absent: ids stay as they are. See docs/security.md.',
  ),
})
