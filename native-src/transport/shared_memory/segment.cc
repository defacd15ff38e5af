#include "transport/shared_memory/segment.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <utility>

#include "lockstep/error.h"

namespace lockstep::shared_memory {
namespace {

constexpr char FOLDER[] = "/dev/shm";
// A segment that young may belong to ranks that are about to hold their presence.
constexpr time_t STALE_AFTER_SECONDS = 120;

[[noreturn]] void fail(const std::string& task, int error) {
  throw Error(ErrorCode::SYSTEM, "Cannot " + task + ": " + std::strerror(error) +
                                     ". Shared memory needs a writable " + FOLDER + ".");
}

struct flock presence_of(int rank) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = rank;
  lock.l_len = 1;
  return lock;
}

/// What the file's system has left, for messages.
std::string left_text() {
  struct statvfs system {};
  if (::statvfs(FOLDER, &system) != 0) return "an unknown amount";
  return std::to_string((system.f_bavail * system.f_frsize) >> 10) + " KiB";
}

struct FileId {
  dev_t device;
  ino_t inode;
  auto operator<=>(const FileId&) const = default;
};

}  // namespace

/// Ranks that are threads of one process share one mapping: its memory then has one address, and
/// ThreadSanitizer sees what they do to it.
class Mapping {
 public:
  static std::shared_ptr<const Mapping> of(int file, const std::string& name);

  Mapping(int file, std::size_t bytes, const std::string& name) : bytes_(bytes) {
    // A mapping keeps the open file that it was made from, and with it a rank's presence: so it gets its own.
    const int own_file = ::open(("/proc/self/fd/" + std::to_string(file)).c_str(), O_RDWR | O_CLOEXEC);
    if (own_file < 0) fail("open " + std::string(FOLDER) + name + " again", errno);
    void* const address =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, own_file, 0);
    const int error = errno;
    ::close(own_file);
    if (address == MAP_FAILED) fail("map " + std::to_string(bytes) + " bytes of " + FOLDER + name, error);
    base_ = static_cast<std::byte*>(address);
    ::madvise(address, bytes, MADV_DONTDUMP);
  }
  ~Mapping() { ::munmap(base_, bytes_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::byte* base() const { return base_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* base_;
  std::size_t bytes_;
};

std::shared_ptr<const Mapping> Mapping::of(int file, const std::string& name) {
  // Never destroyed: threads may outlive static objects.
  static auto& mutex = *new std::mutex;
  static auto& mappings = *new std::map<FileId, std::weak_ptr<const Mapping>>;
  struct stat status {};
  if (::fstat(file, &status) != 0) fail(std::string("examine ") + FOLDER + name, errno);
  std::lock_guard lock(mutex);
  std::erase_if(mappings, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<const Mapping>& known = mappings[{status.st_dev, status.st_ino}];
  std::shared_ptr<const Mapping> mapping = known.lock();
  if (mapping == nullptr) {
    mapping = std::make_shared<const Mapping>(file, static_cast<std::size_t>(status.st_size), name);
    known = mapping;
  }
  return mapping;
}

Segment::Segment(std::string name, int file, bool is_new, std::size_t bytes)
    : name_(std::move(name)), file_(file) {
  try {
    if (is_new && ::ftruncate(file, static_cast<off_t>(bytes)) != 0) {
      fail("make " + std::string(FOLDER) + name_ + " " + std::to_string(bytes) + " bytes long", errno);
    }
    mapping_ = Mapping::of(file, name_);
  } catch (...) {
    ::close(file);
    throw;
  }
}

Segment Segment::create(std::size_t bytes) {
  const int file = ::open(FOLDER, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) fail("make shared memory in " + std::string(FOLDER), errno);
  return {"", file, true, bytes};
}

std::optional<Segment> Segment::open(const Place& place) {
  const std::string path = "/proc/" + std::to_string(place.process) + "/fd/" + std::to_string(place.file);
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  struct stat status {};
  if (::fstat(file, &status) != 0 || status.st_dev != place.device || status.st_ino != place.inode) {
    ::close(file);
    return std::nullopt;
  }
  return Segment("", file, false, 0);
}

Segment::Place Segment::place() const {
  struct stat status {};
  if (::fstat(file_, &status) != 0) fail("examine shared memory", errno);
  return {::getpid(), file_, status.st_dev, status.st_ino};
}

void Segment::give_name(const std::string& name) {
  const std::string file = "/proc/self/fd/" + std::to_string(file_);
  if (::linkat(AT_FDCWD, file.c_str(), AT_FDCWD, (FOLDER + name).c_str(), AT_SYMLINK_FOLLOW) != 0) {
    fail("name the shared memory " + std::string(FOLDER) + name, errno);
  }
  name_ = name;
}

Segment Segment::open(const std::string& name) {
  const int file = ::shm_open(name.c_str(), O_RDWR, 0);
  if (file < 0) fail("open the shared memory " + std::string(FOLDER) + name, errno);
  struct stat status {};
  if (::fstat(file, &status) != 0 || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
    ::close(file);
    throw Error(ErrorCode::SYSTEM, "The shared memory " + std::string(FOLDER) + name +
                                       " belongs to another user; all ranks of a job run as one user.");
  }
  return {name, file, false, 0};
}

Segment::Segment(Segment&& other) noexcept
    : name_(std::exchange(other.name_, {})),
      file_(std::exchange(other.file_, -1)),
      mapping_(std::move(other.mapping_)) {}

Segment& Segment::operator=(Segment&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(file_, other.file_);
  std::swap(mapping_, other.mapping_);
  return *this;
}

Segment::~Segment() {
  forget_name();
  if (file_ >= 0) ::close(file_);
}

std::byte* Segment::base() const { return mapping_->base(); }
std::size_t Segment::bytes() const { return mapping_->bytes(); }

void Segment::reserve(std::size_t offset, std::size_t bytes) const {
  if (bytes == 0) return;
  int result;
  do {
    result = ::fallocate(file_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  } while (result != 0 && errno == EINTR);
  if (result == 0) return;
  const int error = errno;
  if (error != ENOSPC && error != ENOMEM) fail("reserve shared memory", error);
  throw Error(ErrorCode::SYSTEM,
              "Shared memory needs " + std::to_string((bytes + 1023) >> 10) + " KiB more in " + FOLDER +
                  ", which has " + left_text() + " left. Enlarge it (mount -o remount,size=… " + FOLDER +
                  "; docker run --shm-size=…; an emptyDir with medium: Memory in Kubernetes), or choose "
                  "the tcp backend.");
}

void Segment::release(std::size_t offset, std::size_t bytes) const noexcept {
  if (bytes == 0) return;
  ::fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
              static_cast<off_t>(bytes));
}

void Segment::hold_presence(int rank) const {
  struct flock lock = presence_of(rank);
  if (::fcntl(file_, F_OFD_SETLK, &lock) != 0) {
    fail("lock byte " + std::to_string(rank) + " of " + FOLDER + name_, errno);
  }
}

bool Segment::is_present(int rank) const {
  struct flock lock = presence_of(rank);
  return ::fcntl(file_, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

void Segment::forget_name() noexcept {
  if (!name_.empty()) ::shm_unlink(name_.c_str());
  name_.clear();
}

void remove_stale_segments() noexcept {
  DIR* const folder = ::opendir(FOLDER);
  if (folder == nullptr) return;
  while (const dirent* entry = ::readdir(folder)) {
    if (std::strncmp(entry->d_name, NAME_PREFIX + 1, std::strlen(NAME_PREFIX + 1)) != 0) continue;
    const int file = ::openat(::dirfd(folder), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) continue;
    struct stat status {};
    struct flock any = presence_of(0);
    any.l_len = 0;  // to the end: any rank
    const bool stale = ::fstat(file, &status) == 0 && status.st_uid == ::geteuid() &&
                       ::time(nullptr) - status.st_ctime > STALE_AFTER_SECONDS &&
                       ::fcntl(file, F_OFD_GETLK, &any) == 0 && any.l_type == F_UNLCK;
    if (stale) ::unlinkat(::dirfd(folder), entry->d_name, 0);
    ::close(file);
  }
  ::closedir(folder);
}

}  // namespace lockstep::shared_memory
