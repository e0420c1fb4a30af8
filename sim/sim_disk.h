// A machine's disk: a FileTree that answers requests after a while, sometimes wrongly. Content and
// durability are the tree's; here are time and faults. Faults that damage what is stored (bit rot,
// stray writes) are an overlay on reads, kept beside the pristine bytes, so that heal() takes them
// back.
#pragma once

#include <array>
#include <map>
#include <memory>

#include "host/host.h"
#include "sim/faults.h"
#include "sim/file_tree.h"

namespace orrery {

class World;

// What may be damaged such that a correct engine can still notice it, and with the damage undone
// lose nothing.
class FaultAtlas {
 public:
  virtual ~FaultAtlas() = default;
  // Stored bytes [offset, offset + count) of this file.
  virtual bool may_damage(std::string_view name, uint64_t offset, uint64_t count) const = 0;
  // A single read of this file may return other bytes.
  virtual bool may_misread(std::string_view name) const = 0;
};

struct DiskSpeed {
  int64_t request_ns = 20'000;
  int64_t sync_ns = 200'000;
  uint32_t inline_percent = 0;  // requests that are done at once, as from a page cache
};

class SimDisk final : public Disk {
 public:
  SimDisk(World& world, uint16_t machine, const FileTree* image);

  bool submit(DiskRequest& request) override;
  // The event of a request came up.
  void finish(uint64_t slot);

  // A new boot: handles of the one before are gone.
  void start(uint32_t boot);
  // The machine died, its requests are forgotten; what they had done stays done.
  void stop();
  // After stop(): the power failed, so unsynced writes meet their fate. Without it only the process
  // died.
  void lose_power();
  // Damage strikes a stored sector, if the atlas has one to offer.
  void rot();
  // Takes all damage back.
  void heal();

  void set_speed(const DiskSpeed& speed) { speed_ = speed; }
  void set_atlas(const FaultAtlas* atlas) { atlas_ = atlas; }
  void set_capacity(uint64_t bytes) { capacity_bytes_ = bytes; }
  // The disk stops the machine at the n-th request from now; 0 never does.
  void crash_after(uint64_t requests) { crash_countdown_ = requests; }

  FileTree& tree() { return tree_; }
  const FileTree& tree() const { return tree_; }
  // Errors and damaged bytes handed out since the start of this boot.
  uint64_t errors_given() const { return errors_given_; }
  uint64_t damage_given() const { return damage_given_; }
  // The same since the machine was made.
  uint64_t errors_given_ever() const { return errors_given_before_ + errors_given_; }
  uint64_t damage_given_ever() const { return damage_given_before_ + damage_given_; }
  bool has_damage() const { return !damage_.empty(); }

 private:
  struct Slot {
    DiskRequest* request = nullptr;
    uint32_t generation = 0;
    FileNumber file;
    uint64_t number = 0;        // of a write or resize; of a sync: where it begun
    uint64_t content_hash = 0;  // of a write's data
    bool syncs = false;         // a sync, or that of a write that syncs too
    bool fails = false;         // a sync that will fail
    bool lies = false;
  };
  using Sector = std::array<std::byte, kSectorBytes>;

  // Does the part of a request that happens at once. True when nothing is left to wait for.
  bool begin(DiskRequest& request, Slot& slot);
  void begin_write(DiskRequest& request, Slot& slot);
  void begin_resize(DiskRequest& request, Slot& slot, uint64_t size_bytes);
  void read_now(DiskRequest& request, FileNumber file);
  void end(DiskRequest& request, const Slot& slot);
  void end_sync(DiskRequest& request, const Slot& slot);
  bool misdirected_read(DiskRequest& request, FileNumber file);
  void patch_damage(DiskRequest& request, FileNumber file);
  void stray_write(Bytes data);
  bool choose_victim(FileNumber& file, uint64_t& offset);
  void clear_damage(FileNumber file, uint64_t offset, uint64_t count);
  bool fits(uint64_t more_bytes);
  Status fail(DiskRequest& request, const SqlState& code, std::string_view what);
  int64_t delay_of(const DiskRequest& request, bool syncs);
  void begin_sync(Slot& slot);
  void schedule(Slot slot);
  FileNumber file_of(FileHandle handle) const;

  World& world_;
  uint16_t machine_;
  uint32_t boot_ = 0;
  bool is_up_ = false;
  FileTree tree_;
  DiskSpeed speed_;
  const FaultAtlas* atlas_ = nullptr;
  uint64_t capacity_bytes_ = UINT64_MAX;
  uint64_t crash_countdown_ = 0;
  uint64_t errors_given_ = 0;
  uint64_t damage_given_ = 0;
  uint64_t errors_given_before_ = 0;
  uint64_t damage_given_before_ = 0;
  uint64_t writes_in_flight_ = 0;
  std::vector<std::optional<FileNumber>> handles_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::map<std::pair<FileNumber, uint64_t>, Sector> damage_;  // by file and sector
};

}  // namespace orrery
