# Compiler settings that every native target shares.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O3 -DNDEBUG")

set(LOCKSTEP_SANITIZE "" CACHE STRING "Sanitizers for every native target, as -fsanitize takes them")

find_package(Threads REQUIRED)

add_library(lockstep_options INTERFACE)
target_compile_options(lockstep_options INTERFACE -Wall -Wextra)
if(NOT LOCKSTEP_SANITIZE)
  # GCC warns of what is right in instrumented code (its bug 105329), and whether it does depends on ccache.
  target_compile_options(lockstep_options INTERFACE -Werror)
endif()
# A fused multiply-add in one kernel variant and not in another would give ranks on unlike hosts other bits.
target_compile_options(lockstep_options INTERFACE -ffp-contract=off)
target_link_libraries(lockstep_options INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # The library reads from sockets inside of somebody's JVM: overflows end the process instead of going on.
  target_compile_options(lockstep_options INTERFACE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  target_link_options(lockstep_options INTERFACE LINKER:-z,relro,-z,now)
endif()
if(LOCKSTEP_SANITIZE)
  target_compile_options(lockstep_options INTERFACE
    -fsanitize=${LOCKSTEP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(lockstep_options INTERFACE -fsanitize=${LOCKSTEP_SANITIZE})
endif()
