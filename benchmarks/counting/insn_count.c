/* A QEMU TCG plugin (API version 1, QEMU 7.2) that counts executed instructions: by address, and by
   part of the program that was running.

   Arguments: marks=FILE  lines "address part" (hexadecimal, decimal); when the instruction at an
                          address runs, what runs from then on belongs to that part
              out=FILE    written at exit: "part <number> <count>" and "at <address> <count>"
   What runs before the first mark is part -1.

   QEMU ships no header for plugins, so the few prototypes are declared here. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info_t qemu_info_t;
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb*));
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void*), void*);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb*, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn*);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn*, int op, void*, uint64_t);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn*, void (*)(unsigned cpu, void*),
                                            int flags, void*);

enum { kInlineAddU64 = 0, kNoRegisters = 0 };
enum { kSlots = 1 << 18, kParts = 1 << 12 };
int qemu_plugin_version = 1;

/* One slot for each address that runs or is marked: open addressing, empty where `used` is 0. */
struct slot {
  uint64_t address, count;
  int used, marked, part;
};
static struct slot slots[kSlots];
static uint64_t total, part_began;
static uint64_t counts[kParts + 1]; /* [0] is part -1 */
static int current;
static char* out_path;

static void fail(const char* what) {
  fprintf(stderr, "insn_count: %s\n", what);
  exit(3);
}

static struct slot* find(uint64_t address) {
  uint64_t i = (address >> 1) * UINT64_C(0x9E3779B97F4A7C15) >> 46;
  for (int tries = 0; tries < kSlots; ++tries, i = (i + 1) % kSlots) {
    if (!slots[i].used) {
      slots[i].used = 1;
      slots[i].address = address;
    }
    if (slots[i].address == address) return &slots[i];
  }
  fail("the program has too many instructions");
  return NULL;
}

static void enter(unsigned cpu, void* data) {
  (void)cpu;
  const int part = (int)(intptr_t)data;
  if (part == current) return;
  counts[current] += total - part_began;
  part_began = total;
  current = part;
}

static void translated(plugin_id id, struct qemu_plugin_tb* block) {
  (void)id;
  const size_t length = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < length; ++i) {
    struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(block, i);
    struct slot* slot = find(qemu_plugin_insn_vaddr(insn));
    if (slot->marked)
      qemu_plugin_register_vcpu_insn_exec_cb(insn, enter, kNoRegisters,
                                             (void*)(intptr_t)slot->part);
    qemu_plugin_register_vcpu_insn_exec_inline(insn, kInlineAddU64, &slot->count, 1);
    qemu_plugin_register_vcpu_insn_exec_inline(insn, kInlineAddU64, &total, 1);
  }
}

static void finished(plugin_id id, void* data) {
  (void)id;
  (void)data;
  counts[current] += total - part_began;
  FILE* out = fopen(out_path, "w");
  if (out == NULL) fail("cannot write the file named by out=");
  for (int part = 0; part <= kParts; ++part)
    if (counts[part]) fprintf(out, "part %d %" PRIu64 "\n", part - 1, counts[part]);
  for (int i = 0; i < kSlots; ++i)
    if (slots[i].count)
      fprintf(out, "at %" PRIx64 " %" PRIu64 "\n", slots[i].address, slots[i].count);
  fclose(out);
}

static void read_marks(const char* path) {
  uint64_t address;
  int part;
  FILE* marks = fopen(path, "r");
  if (marks == NULL) fail("cannot read the file named by marks=");
  while (fscanf(marks, "%" SCNx64 " %d", &address, &part) == 2) {
    if (part < -1 || part >= kParts) fail("a mark's part is out of range");
    struct slot* slot = find(address);
    slot->marked = 1;
    slot->part = part + 1;
  }
  fclose(marks);
}

int qemu_plugin_install(plugin_id id, const qemu_info_t* info, int argc, char** argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (strncmp(argv[i], "marks=", 6) == 0) read_marks(argv[i] + 6);
    if (strncmp(argv[i], "out=", 4) == 0) out_path = strdup(argv[i] + 4);
  }
  if (out_path == NULL) fail("needs out=FILE");
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, finished, NULL);
  return 0;
}
