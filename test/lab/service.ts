import { serve } from '#test/kit'
import { lab } from './feature.ts'

serve(...lab)
