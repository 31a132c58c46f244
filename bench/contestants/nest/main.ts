import 'reflect-metadata'
import { ValidationPipe } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import compression from 'compression'
import helmet from 'helmet'
import { Logger } from 'nestjs-pino'
import { settings } from '../common/settings.ts'
import { AppModule } from './app.module.ts'

// NestJS on Express, as its pages show it: a guard with @nestjs/jwt, class-validator, the serializer, helmet, compression,
// nestjs-pino.

const app = await NestFactory.create<NestExpressApplication>(AppModule, { bufferLogs: true })
app.useLogger(app.get(Logger))
app.use(helmet())
app.use(compression())
app.useBodyParser('json', { limit: '1mb' })
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }))
await app.listen(settings.port)
process.on('SIGTERM', () => process.exit())
