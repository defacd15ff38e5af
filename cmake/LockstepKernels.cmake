# SIMD kernels are plain loops in files named *_kernels.cc. Each is compiled once per instruction set, with
# LOCKSTEP_ISA naming the namespace it lands in; core/cpu.h picks the table for the CPU at run time.
# Whoever links `target` (an object library) gets the objects of every variant.

function(lockstep_add_kernels target)
  file(GLOB_RECURSE kernels CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_kernels.cc)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(variants baseline v3 v4)
    set(flags_baseline "")
    set(flags_v3 -march=x86-64-v3)
    set(flags_v4 -march=x86-64-v4 -mprefer-vector-width=512)
  else()
    set(variants baseline)
    set(flags_baseline "")
  endif()
  foreach(variant IN LISTS variants)
    add_library(lockstep_kernels_${variant} OBJECT ${kernels})
    target_compile_definitions(lockstep_kernels_${variant} PRIVATE LOCKSTEP_ISA=${variant})
    # Without errno and traps a loop with a square root or a comparison can be vectorised; no result changes.
    target_compile_options(lockstep_kernels_${variant} PRIVATE
      ${flags_${variant}} -fno-math-errno -fno-trapping-math)
    target_include_directories(lockstep_kernels_${variant} PRIVATE
      ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/include)
    target_link_libraries(lockstep_kernels_${variant} PRIVATE lockstep_options)
    target_sources(${target} INTERFACE $<TARGET_OBJECTS:lockstep_kernels_${variant}>)
  endforeach()
endfunction()
