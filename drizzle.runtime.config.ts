import { defineConfig } from 'drizzle-kit'

// For `npm run migration:runtime`: the runtime's tables. Only those who maintain the runtime need it.

export default defineConfig({
  dialect: 'postgresql',
  schema: ['src/runtime/database/schema.ts', 'src/runtime/**/{table,*-table}.ts'],
  out: './migrations/runtime',
})
