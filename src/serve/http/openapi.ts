/** /openapi.json: OpenAPI 3.1, from the schemas by which requests are checked and answers are written. */
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { createJsonSchemaTransform } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { HttpApp } from './plugin.js'
import { problemSchema } from './problem.js'

type Transform = NonNullable<FastifyDynamicSwaggerOptions['transform']>

const toJsonSchema = createJsonSchemaTransform({ skipList: [] }) as unknown as Transform

interface Operation {
  responses: Record<string, unknown>
}

const METHODS = ['get', 'put', 'post', 'delete'] as const

/** Before the routes that it describes. */
export async function registerOpenapi(app: HttpApp, version: string, needsKey: boolean): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Millrace',
        version,
        description: 'What a learner or a follower answers over HTTP. Ids are text, times are milliseconds since 1970.',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    },
    transform: input => {
      const { schema, url } = toJsonSchema(input)
      const isPublic = input.route.config?.scope === 'public'
      return { url, schema: needsKey && !isPublic ? { ...schema, security: [{ key: [] }] } : schema }
    },
    transformObject: document => {
      const { openapiObject } = document as { openapiObject: Record<string, unknown> }
      return withProblems(openapiObject) as never
    },
  })
  app.get('/openapi.json', { schema: { hide: true }, config: { scope: 'public' } }, async () => app.swagger())
}

/** Every route may answer with a problem, and all problems have one shape. */
function withProblems(document: Record<string, unknown>): Record<string, unknown> {
  const paths = (document.paths ?? {}) as Record<string, Record<string, Operation>>
  const { $schema, id, ...schema } = z.toJSONSchema(problemSchema) as Record<string, unknown>
  const problem = { description: 'What went wrong', content: { 'application/problem+json': { schema } } }
  const components = (document.components ?? {}) as Record<string, unknown>
  for (const path of Object.values(paths)) {
    for (const method of METHODS) {
      const operation = path[method]
      if (operation !== undefined) operation.responses.default = { $ref: '#/components/responses/Problem' }
    }
  }
  return { ...document, components: { ...components, responses: { Problem: problem } } }
}
