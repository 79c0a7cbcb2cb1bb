/*
 * Operands that read from the service: what cmd_each gives, with encoded
 * links ("mega://enc", containers) replaced by the links they stand for.
 */
#ifndef OPERAND_H
#define OPERAND_H

/* Like cmd_each. */
void operand_each(char **argv, int (*fn)(void *ctx, const char *operand),
    void *ctx);

#endif
