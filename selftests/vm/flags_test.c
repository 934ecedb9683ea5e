// SPDX-License-Identifier: GPL-2.0
/*
 * Does the processor of a VM compute the flags of cmpxchg16b, if it has that
 * instruction? An emulator has been seen to take an operand for them where the
 * flags before had not been computed but loaded, in another block of code.
 */
#include <cpuid.h>
#include <stdint.h>

#include "ktap.h"

#define OPERAND 0xd1L /* has bits where no flag is to be, and parity */
#define FLAGS 0x46 /* parity of the sum, equality, and the one always there */

static bool has_cmpxchg16b(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_CMPXCHG16B);
}

static int flags_after_sum(void)
{
	static uint64_t memory[2] __attribute__((aligned(16)));
	uint64_t flags = 0, sum = 0;

	__asm__ volatile("sahf\n\t"
			 "jmp 1f\n"
			 "1:\n\t"
			 "addq %[operand], %[sum]\n\t"
			 "cmpxchg16b %[memory]\n\t"
			 "lahf"
			 : "+a"(flags), [sum] "+r"(sum), [memory] "+m"(memory)
			 : "d"(0L), "b"(0L), "c"(0L), [operand] "r"(OPERAND)
			 : "cc");
	return flags >> 8;
}

TEST(cmpxchg16b_computes_its_flags)
{
	if (!has_cmpxchg16b())
		return;
	CHECK_EQ(flags_after_sum(), FLAGS);
	/* And where it need not begin again for a page that is not there. */
	CHECK_EQ(flags_after_sum(), FLAGS);
}
