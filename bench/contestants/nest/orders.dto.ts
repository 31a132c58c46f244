import { Exclude, Expose, Type } from 'class-transformer'
import { IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator'
import { type OrderRow, presentOrder } from '../common/statements.ts'

/** The body of a request that places an order. */
export class NewOrder {
  @IsString()
  @Length(1, 100)
  item!: string

  @IsInt()
  @Min(1)
  @Max(1000)
  quantity!: number
}

/** The query of the list. */
export class OrderQuery {
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit = 20

  @IsOptional()
  @IsString()
  @Length(22, 22)
  cursor?: string
}

/** An order as the contract shows it: the serializer drops all other keys. */
@Exclude()
export class Order {
  @Expose() id!: string
  @Expose() item!: string
  @Expose() quantity!: number
  @Expose() status!: string
  @Expose() createdAt!: string

  static of(row: OrderRow): Order {
    return Object.assign(new Order(), presentOrder(row))
  }
}
