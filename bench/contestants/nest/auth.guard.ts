import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  SetMetadata,
  UnauthorizedException,
} from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { JwtService } from '@nestjs/jwt'
import type { Request } from 'express'

/** The scope that a route needs. */
export const Scope = (scope: string) => SetMetadata('scope', scope)

/** A request whose token was verified. */
export type AuthenticatedRequest = Request & { user: { sub: string; scope: string } }

/** Verifies the token, and the scope of the route. */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly jwt: JwtService
  private readonly reflector: Reflector

  constructor(jwt: JwtService, reflector: Reflector) {
    this.jwt = jwt
    this.reflector = reflector
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>()
    const [type, token] = request.headers.authorization?.split(' ') ?? []
    if (type !== 'Bearer' || !token) throw new UnauthorizedException()
    try {
      request.user = await this.jwt.verifyAsync(token)
    } catch {
      throw new UnauthorizedException()
    }
    const scope = this.reflector.get<string | undefined>('scope', context.getHandler())
    if (scope && !request.user.scope.split(' ').includes(scope)) throw new ForbiddenException()
    return true
  }
}
