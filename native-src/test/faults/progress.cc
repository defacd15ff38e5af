#include "progress.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace lockstep::test {

Progress::Progress(const std::string& path) {
  if (path.empty()) return;
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) throw std::system_error(errno, std::generic_category(), path);
  void* const address = ::mmap(nullptr, sizeof(Words), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  const int error = errno;
  ::close(file);
  if (address == MAP_FAILED) throw std::system_error(error, std::generic_category(), path);
  words_ = static_cast<Words*>(address);  // until the process ends; the file's zeros are its first values
}

}  // namespace lockstep::test
