/** The task weightings by their names in the configuration. */
import type { Config } from '../../config/schema.js'
import { createCagradWeighting } from './cagrad.js'
import { createDwaWeighting } from './dwa.js'
import { createFamoWeighting } from './famo.js'
import { createGlsWeighting } from './gls.js'
import { createGradNormWeighting } from './gradnorm.js'
import { createImtlGWeighting } from './imtl-g.js'
import { createManualWeighting } from './manual.js'
import { createMgdaWeighting } from './mgda.js'
import { createPcgradWeighting } from './pcgrad.js'
import { createRhoWeighting } from './rho.js'
import { createRlwWeighting } from './rlw.js'
import { createUncertaintyWeighting } from './uncertainty.js'
import type { TaskWeighting, WeightingSettings } from './weighting.js'

const METHODS: Record<
  Config['weights']['method'],
  (priors: readonly number[], settings: WeightingSettings) => TaskWeighting
> = {
  manual: createManualWeighting,
  uncertainty: createUncertaintyWeighting,
  dwa: createDwaWeighting,
  gls: createGlsWeighting,
  rlw: createRlwWeighting,
  famo: createFamoWeighting,
  gradnorm: createGradNormWeighting,
  'imtl-g': createImtlGWeighting,
  mgda: createMgdaWeighting,
  pcgrad: createPcgradWeighting,
  cagrad: createCagradWeighting,
  rho: createRhoWeighting,
}

export function createWeighting(priors: readonly number[], weights: Config['weights'], seed: number): TaskWeighting {
  return METHODS[weights.method](priors, { ...weights, seed })
}
