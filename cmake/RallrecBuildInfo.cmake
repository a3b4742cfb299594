# rallrec_build_info(OUTPUT): fills src/pipeline/build_info.cc.in in at every build, and writes OUTPUT where it has
# changed. The version in the binary names the commit, and where sources differ from it a hash of the difference:
# stages that other code has made are not taken for up to date.
function(rallrec_build_info output)
  set(RALLREC_CUDA_LITERAL false)
  if(RALLREC_WITH_CUDA)
    set(RALLREC_CUDA_LITERAL true)
  endif()
  # What is known now; the commit is filled in below.
  set(RALLREC_COMMIT "@RALLREC_COMMIT@")
  configure_file("${PROJECT_SOURCE_DIR}/src/pipeline/build_info.cc.in" "${output}.in" @ONLY)
  find_package(Git QUIET)
  add_custom_target(rallrec_build_info
    COMMAND "${CMAKE_COMMAND}" "-DGIT=${GIT_EXECUTABLE}" "-DSOURCE=${PROJECT_SOURCE_DIR}" "-DINPUT=${output}.in"
      "-DOUTPUT=${output}" -P "${PROJECT_SOURCE_DIR}/cmake/WriteBuildInfo.cmake"
    BYPRODUCTS "${output}"
    COMMENT "commit of the build"
    VERBATIM)
endfunction()
