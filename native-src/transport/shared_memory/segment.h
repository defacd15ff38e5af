#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace lockstep::shared_memory {

class Mapping;

/// A sparse file in /dev/shm, mapped whole. Address space costs nothing: only what reserve() asked for takes
/// memory, and nothing else may be touched, because a page that the system cannot provide ends the process
/// (SIGBUS).
///
/// It has no name, so that nothing stays behind when processes are killed at whatever moment: ranks open it
/// through /proc. Only where they cannot (containers that share /dev/shm but no process ids) it gets one,
/// until every rank has mapped it.
class Segment {
 public:
  /// Where another process finds a file that has no name.
  struct Place {
    std::int32_t process = 0;
    std::int32_t file = -1;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };

  /// Makes a file of `bytes` bytes, readable and writable by this user alone (mode 0600).
  /// @throws Error SYSTEM
  static Segment create(std::size_t bytes);
  /// @return nothing where that process or its file cannot be reached, or is another one by now
  static std::optional<Segment> open(const Place& place);
  /// @throws Error SYSTEM, also where another user has made the file
  static Segment open(const std::string& name);

  Place place() const;
  /// Links the file into /dev/shm. @throws Error SYSTEM
  void give_name(const std::string& name);

  Segment(Segment&&) noexcept;
  Segment& operator=(Segment&& other) noexcept;
  ~Segment();

  /// The first byte: the same memory for all ranks, at an address of this process's own. The mapping lives as
  /// long as its last owner.
  std::byte* base() const;
  std::size_t bytes() const;
  std::shared_ptr<const Mapping> mapping() const { return mapping_; }

  /// Backs a range by memory, so that touching it cannot fail.
  /// @throws Error SYSTEM naming the size that is needed, when /dev/shm has not enough left
  void reserve(std::size_t offset, std::size_t bytes) const;
  /// Gives the memory of a range back. What it held is lost.
  void release(std::size_t offset, std::size_t bytes) const noexcept;

  /// Says that rank `rank` lives. The system takes it back when the process ends, however it ends: it is a
  /// lock of the open file (F_OFD_SETLK, fcntl(2)), which works across containers too, where process ids do
  /// not.
  void hold_presence(int rank) const;
  bool is_present(int rank) const;

  /// Removes the name; the memory stays. Idempotent.
  void forget_name() noexcept;

 private:
  Segment(std::string name, int file, bool is_new, std::size_t bytes);

  std::string name_;  ///< empty once it is forgotten
  int file_;
  std::shared_ptr<const Mapping> mapping_;
};

/// Removes segments that a job which was killed left while they had a name: those of this user whose ranks
/// are all gone.
void remove_stale_segments() noexcept;

/// The beginning of every segment's name.
inline constexpr char NAME_PREFIX[] = "/lockstep-";

}  // namespace lockstep::shared_memory
