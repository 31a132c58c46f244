import { serve } from '#test/support/serve.ts'
import { journeys } from './journeys.ts'
import { parcels } from './parcels.ts'

serve(parcels, journeys)
