import { defineProblems } from '#runtime'

/** The problems of template items, beside those that any request may have. */
export const templateItemProblems = defineProblems({
  TEMPLATE_ITEM_NOT_FOUND: { status: 404, title: 'The template item was not found' },
})
