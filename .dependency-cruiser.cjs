// The layers: imports point one way, each rule says what it protects.
// cli → commands → app → { learn, pipeline } → stages → domain → std
const stages = [
  'source',
  'sink',
  'decode',
  'join',
  'batch',
  'features',
  'graph',
  'backend',
  'model',
  'evaluate',
  'recommend',
  'snapshot',
  'import',
  'simulate',
]
const contracts =
  '^src/(source/source|sink/sink|sink/output-records|sink/dead-letter|sink/delivery|backend/backend|graph/graph|graph/gradient|features/columns|features/layout|config/schema|config/paths)\\.ts$'

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'std-is-pure', severity: 'error', from: { path: '^src/std/' }, to: { path: '^src/(?!std/)' } },
    {
      name: 'domain-imports-nothing',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { path: '^src/(?!domain/|std/)' },
    },
    {
      name: 'stages-meet-in-the-pipeline',
      comment:
        'A stage folder may import domain, std, config types, observe and the contracts of others, never their implementations.',
      severity: 'error',
      from: { path: `^src/(${stages.join('|')})/` },
      to: { path: `^src/(${stages.join('|')}|pipeline|app|commands|serve)/`, pathNot: [contracts, '^src/$1/'] },
    },
    {
      name: 'pipeline-knows-no-kafka-and-no-tensors',
      severity: 'error',
      from: { path: '^src/pipeline/' },
      to: {
        path: '^src/(source/(?!source\\.ts)|sink/(?!sink\\.ts|output-records\\.ts|dead-letter\\.ts|delivery\\.ts)|graph|backend|model|app|commands|serve)',
      },
    },
    {
      name: 'learn-composes-the-worker',
      comment:
        'src/learn is the composition root of the worker thread; only it, app and serve, which scores with the same parts, may join the stages.',
      severity: 'error',
      from: { path: '^src/(?!app/|learn/|serve/)' },
      to: { path: '^src/learn/' },
    },
    {
      name: 'nothing-imports-commands',
      severity: 'error',
      from: { path: '^src/(?!cli\\.ts|commands/)' },
      to: { path: '^src/commands/' },
    },
    {
      name: 'only-commands-import-app',
      severity: 'error',
      from: { path: '^src/(?!cli\\.ts|index\\.ts|commands/|app/)' },
      to: { path: '^src/app/' },
    },
    {
      name: 'tensors-only-in-backend',
      severity: 'error',
      from: { path: '^src/(?!backend/)' },
      to: { path: '(@tensorflow/|onnxruntime)' },
    },
    {
      name: 'fastify-behind-serve-http',
      severity: 'error',
      from: { path: '^src/(?!serve/http/)' },
      to: { path: 'node_modules/(fastify|@fastify|light-my-request)' },
    },
    {
      name: 'kafkajs-behind-source-and-sink',
      severity: 'error',
      from: { path: '^src/(?!source/kafka|sink/kafka|commands/topics)' },
      to: { path: 'node_modules/kafkajs' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
}
