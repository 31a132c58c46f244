import { serve } from '#test/support/serve.ts'
import { parcels } from './parcels.ts'

serve(parcels)
