import { serve } from '#test/support/serve.ts'
import { lab } from './feature.ts'

serve(...lab)
