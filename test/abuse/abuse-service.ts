import { serve } from '#test/support/serve.ts'
import { abuse } from './routes.ts'

serve(abuse)
