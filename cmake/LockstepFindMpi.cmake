# FindMPI finds one MPI; a machine may have several, with different ABIs. Each is asked through its compiler wrapper.
#
# lockstep_find_mpi(<flavour>) with flavour openmpi or mpich makes the imported target MPI::<flavour>, and sets
# LOCKSTEP_MPIRUN_<flavour> to its launcher, when that MPI is installed. LOCKSTEP_MPICC_<flavour> names the wrapper
# where it is in an unusual place; LOCKSTEP_MPI_<flavour>=OFF leaves that MPI out.

include(CheckCXXSourceCompiles)

function(lockstep_find_mpi flavour)
  option(LOCKSTEP_MPI_${flavour} "Build the backend for ${flavour} when it is found" ON)
  if(NOT LOCKSTEP_MPI_${flavour})
    return()
  endif()
  if(LOCKSTEP_MPICC_${flavour})
    set(wrapper ${LOCKSTEP_MPICC_${flavour}})
  else()
    # Debian's names; then the plain name, which a module or the distribution's alternative points at one of them.
    # Not cached: an MPI that is installed later would be left out for good in favour of another one's plain name.
    find_program(wrapper NAMES mpicc.${flavour} mpicc
      HINTS /usr/lib64/${flavour}/bin /opt/${flavour}/bin NO_CACHE)
  endif()
  if(NOT wrapper)
    message(STATUS "MPI (${flavour}): not found, its backend is left out")
    return()
  endif()

  execute_process(COMMAND ${wrapper} -show OUTPUT_VARIABLE line OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET RESULT_VARIABLE failed)
  separate_arguments(flags UNIX_COMMAND "${line}")
  if(failed OR NOT flags)
    message(STATUS "MPI (${flavour}): ${wrapper} -show failed, its backend is left out")
    return()
  endif()
  list(POP_FRONT flags)
  set(includes "${flags}")
  list(FILTER includes INCLUDE REGEX "^-I")
  list(TRANSFORM includes REPLACE "^-I" "")
  set(libraries "${flags}")
  list(FILTER libraries INCLUDE REGEX "^-(l|L|Wl,)")

  set(macro_openmpi OPEN_MPI)
  set(macro_mpich MPICH_VERSION)
  set(CMAKE_REQUIRED_INCLUDES ${includes})
  set(CMAKE_REQUIRED_LIBRARIES ${libraries})
  set(CMAKE_REQUIRED_DEFINITIONS -DOMPI_SKIP_MPICXX -DMPICH_SKIP_MPICXX)
  check_cxx_source_compiles("
    #include <mpi.h>
    #ifndef ${macro_${flavour}}
    #error another MPI
    #endif
    int main() { return MPI_Finalize(); }" LOCKSTEP_MPI_${flavour}_WORKS)
  if(NOT LOCKSTEP_MPI_${flavour}_WORKS)
    unset(LOCKSTEP_MPI_${flavour}_WORKS CACHE)
    message(STATUS "MPI (${flavour}): ${wrapper} is of another MPI or lacks its headers; its backend is left out")
    return()
  endif()

  add_library(MPI::${flavour} INTERFACE IMPORTED GLOBAL)
  target_include_directories(MPI::${flavour} SYSTEM INTERFACE ${includes})
  target_link_libraries(MPI::${flavour} INTERFACE ${libraries})
  # The C++ bindings that MPI 3 removed are not wanted.
  target_compile_definitions(MPI::${flavour} INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)

  get_filename_component(folder ${wrapper} DIRECTORY)
  find_program(LOCKSTEP_MPIRUN_${flavour} NAMES mpirun.${flavour} mpirun HINTS ${folder})
  message(STATUS "MPI (${flavour}): ${wrapper}")
endfunction()
