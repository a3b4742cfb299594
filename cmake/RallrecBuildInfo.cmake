# rallrec_build_info(OUTPUT): writes src/pipeline/build_info.cc.in, filled in, to OUTPUT. CMake runs again
# after each commit, so the commit in the binary is the one that was built.
function(rallrec_build_info output)
  set(RALLREC_COMMIT "unknown")
  find_package(Git QUIET)
  if(Git_FOUND)
    execute_process(COMMAND "${GIT_EXECUTABLE}" rev-parse --short=12 HEAD
      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE commit
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    execute_process(COMMAND "${GIT_EXECUTABLE}" rev-parse --path-format=absolute --git-path logs/HEAD
      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE head_log
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(failed EQUAL 0)
      set(RALLREC_COMMIT "${commit}")
      if(EXISTS "${head_log}")
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${head_log}")
      endif()
    endif()
  endif()
  set(RALLREC_CUDA_LITERAL false)
  if(RALLREC_WITH_CUDA)
    set(RALLREC_CUDA_LITERAL true)
  endif()
  configure_file("${PROJECT_SOURCE_DIR}/src/pipeline/build_info.cc.in" "${output}" @ONLY)
endfunction()
