import { randomUUID } from 'node:crypto'
import { Module } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { JwtModule } from '@nestjs/jwt'
import { LoggerModule } from 'nestjs-pino'
import pg from 'pg'
import { pool, settings } from '../common/settings.ts'
import { AuthGuard } from './auth.guard.ts'
import { OrdersController } from './orders.controller.ts'
import { OrdersService } from './orders.service.ts'

@Module({
  imports: [
    LoggerModule.forRoot({
      pinoHttp: {
        genReqId(request, response) {
          const given = request.headers['x-request-id']
          const id = typeof given === 'string' ? given : randomUUID()
          response.setHeader('x-request-id', id)
          return id
        },
      },
    }),
    JwtModule.register({
      global: true,
      secret: settings.secret,
      verifyOptions: { algorithms: ['HS256'], issuer: settings.issuer, audience: settings.audience },
    }),
  ],
  controllers: [OrdersController],
  providers: [
    OrdersService,
    { provide: pg.Pool, useFactory: () => new pg.Pool(pool) },
    { provide: APP_GUARD, useClass: AuthGuard },
  ],
})
export class AppModule {}
