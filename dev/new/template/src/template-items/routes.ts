import { defineRoute, json, jsonBody } from '#runtime'
import { templateItemProblems } from './problems.ts'
import {
  NewTemplateItem,
  TemplateItem,
  TemplateItemPage,
  TemplateItemParams,
  TemplateItemQuery,
} from './schemas.ts'

const ETag = 'The version of the template item'

export const createTemplateItem = defineRoute({
  method: 'post',
  path: '/template-items',
  operationId: 'createTemplateItem',
  summary: 'Create a template item',
  security: ['template-items:write'],
  idempotent: true,
  request: { body: jsonBody(NewTemplateItem) },
  responses: {
    201: json('The template item', TemplateItem, { Location: 'The URL of the template item', ETag }),
  },
})

export const listTemplateItems = defineRoute({
  method: 'get',
  path: '/template-items',
  operationId: 'listTemplateItems',
  summary: 'List your template items, newest first',
  security: ['template-items:read'],
  request: { query: TemplateItemQuery },
  responses: { 200: json('A page of template items', TemplateItemPage) },
})

export const getTemplateItem = defineRoute({
  method: 'get',
  path: '/template-items/{id}',
  operationId: 'getTemplateItem',
  summary: 'Show a template item',
  security: ['template-items:read'],
  request: { params: TemplateItemParams },
  responses: { 200: json('The template item', TemplateItem, { ETag }) },
  problems: [templateItemProblems.TEMPLATE_ITEM_NOT_FOUND],
})
