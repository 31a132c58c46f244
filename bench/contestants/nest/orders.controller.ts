import {
  Body,
  ClassSerializerInterceptor,
  Controller,
  Get,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Post,
  Query,
  Req,
  Res,
  UseInterceptors,
} from '@nestjs/common'
import type { Response } from 'express'
import { type AuthenticatedRequest, Scope } from './auth.guard.ts'
import { NewOrder, Order, OrderQuery } from './orders.dto.ts'
import { OrdersService } from './orders.service.ts'

@Controller('orders')
@UseInterceptors(ClassSerializerInterceptor)
export class OrdersController {
  private readonly orders: OrdersService

  constructor(orders: OrdersService) {
    this.orders = orders
  }

  @Get(':id')
  @Scope('orders:read')
  async find(
    @Param('id', ParseUUIDPipe) id: string,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Order> {
    const row = await this.orders.find(request.user.sub, id)
    if (!row) throw new NotFoundException()
    response.set('etag', `"${row.version}"`)
    return Order.of(row)
  }

  @Get()
  @Scope('orders:read')
  async list(@Query() { limit, cursor }: OrderQuery, @Req() request: AuthenticatedRequest) {
    const { rows, nextCursor } = await this.orders.list(request.user.sub, limit, cursor)
    return { items: rows.map(Order.of), ...(nextCursor && { nextCursor }) }
  }

  @Post()
  @Scope('orders:write')
  async place(
    @Body() order: NewOrder,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Order> {
    const row = await this.orders.place(request.user.sub, order, String(request.id))
    response.set({ location: `/orders/${row.id}`, etag: '"1"' })
    return Order.of(row)
  }
}
