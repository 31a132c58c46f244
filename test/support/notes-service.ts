import { notes } from './notes.ts'
import { serve } from './serve.ts'

serve(notes)
