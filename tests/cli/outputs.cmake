# Where results go, as a user says it to a shell:
# cmake "-DPROGRAM=[emulator;]simdrop" [-DNO_SYNC=library] -DWORK=folder -P this
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
list(FILTER PROGRAM EXCLUDE REGEX "^$")
list(JOIN PROGRAM "' '" program)
set(epoch "train --data moons --epochs 1 --layers 2,4,1")

# shell(CODE REGEX SCRIPT): the exit code of the script, in which s is the program, and n the program
# on a disk that refuses to sync; and a regular expression of all that it prints.
function(shell code regex script)
  execute_process(
    COMMAND sh -c "s() { '${program}' \"$@\"; }
n() { LD_PRELOAD='${NO_SYNC}' '${program}' \"$@\"; }
${script}"
    WORKING_DIRECTORY "${WORK}"
    RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE out TIMEOUT 300)
  if(NOT result STREQUAL code OR NOT out MATCHES "${regex}")
    message(SEND_ERROR "${script}\nexit code ${result}, expected ${code} and \"${regex}\" in:\n${out}")
  endif()
  file(GLOB left "${WORK}/.simdrop-*")
  if(left)
    message(SEND_ERROR "${script}\nleft behind: ${left}")
  endif()
endfunction()

# json(FILE PATH...): the whole file is JSON and has the member.
function(json file)
  file(READ "${WORK}/${file}" text)
  string(JSON found ERROR_VARIABLE error TYPE "${text}" ${ARGN})
  if(error OR NOT text MATCHES "^{.*}\n$")
    message(SEND_ERROR "${file}: no JSON alone with ${ARGN} (${error}):\n${text}")
  endif()
endfunction()

# A file, a link to it, modes: kept.
shell(0 "^-rw------- l-rw-r----- $" [[
umask 022
echo old > target.json; ln -s target.json link.json; chmod 640 target.json
echo '{}' > mode.json; chmod 600 mode.json
for f in link.json mode.json; do s info --json $f > /dev/null || exit; done
ls -l mode.json | cut -c 1-10 | tr '\n' ' '
ls -l link.json | cut -c 1 | tr -d '\n'
ls -l target.json | cut -c 1-10 | tr '\n' ' ']])
json(target.json cpu)
json(mode.json cpu)
shell(0 "^$" "s info --json new.json --no-sync > /dev/null")
json(new.json cpu)

# A disk that refuses to sync: an error that leaves the old file; with --no-sync none.
set(unsynced "info --json" "overhead --widths 8 --batches 4 --keep-probs 0.5 --seconds 0 --json"
    "${epoch} --json" "${epoch} --save")
if(NOT NO_SYNC)
  message(STATUS "skipped: a disk that refuses to sync: no library stands for it")
  set(unsynced)
endif()
foreach(command IN LISTS unsynced)
  shell(1 "^simdrop: unsynced: can't be synced to the disk: Invalid argument\nold\n$"
    "echo old > unsynced; n ${command} unsynced > /dev/null; c=$?; cat unsynced; exit $c")
  shell(0 "^$" "n ${command} unsynced --no-sync > /dev/null && ! grep -qx old unsynced")
endforeach()

# Devices, reached by a link, are written into and stay what they are; a FIFO, too.
shell(0 "^character special file\n$" [[
ln -s /dev/null null; s info --json null > /dev/null && stat -Lc %F null && test -L null]])
shell(1 "^simdrop: full: write failed: No space left on device\n$" [[
ln -s /dev/full full; s info --json full > /dev/null]])
shell(0 "^fifo\n$" [[
mkfifo fifo; cat fifo > from_fifo.json & s info --json fifo > /dev/null && wait && stat -c %F fifo]])
json(from_fifo.json cpu)
shell(0 "^$" "s info --json /dev/fd/7 7>&1 > /dev/null | cat > from_pipe.json")
json(from_pipe.json cpu)
shell(1 "^simdrop: folder: is a directory\n$" "mkdir folder; s info --json folder")
shell(1 "^simdrop: null: is not a regular file\n$" "s ${epoch} --save null")
shell(1 "^simdrop: fifo: is not a regular file\n$" "s ${epoch} --save fifo")

# Devices of its own, where this process may make them: opened or refused, they stay devices.
execute_process(COMMAND mknod -m 666 own_null c 1 3 WORKING_DIRECTORY "${WORK}"
                RESULT_VARIABLE no_devices ERROR_VARIABLE why)
if(no_devices)
  message(STATUS "skipped: devices of its own: ${why}")
else()
  shell(0 "^character special file\n$" "s info --json own_null > /dev/null 2>&1; stat -c %F own_null")
  shell(1 "^simdrop: own_disk: is not a regular file\nblock special file\n$"
    "mknod own_disk b 7 255; s info --json own_disk; c=$?; stat -c %F own_disk; exit $c")
endif()

# "-": JSON alone on standard output, and what is printed on standard error.
shell(0 "^$" "s info --json - > dash.json 2> dash.txt && grep -q kernels dash.txt && test ! -e -")
json(dash.json cpu)
foreach(command "overhead --widths 8 --batches 4 --keep-probs 0.5 --seconds 0" "${epoch}"
        "${epoch} --save dash.st")
  shell(0 "^$" "s ${command} --json - > dash.json 2> dash.txt && grep -q kernels dash.txt && test ! -e -")
  json(dash.json environment cpu)
endforeach()
shell(0 "^$" "s info --json ./- > /dev/null && mv ./- named_dash.json")
json(named_dash.json cpu)
shell(1 "^simdrop: standard output: write failed: No space left on device\n$"
  "s info --json - 2>&1 >/dev/full | grep simdrop:; s info --json - >/dev/full 2>/dev/null")
shell(2 "^simdrop: --save -: not to standard output; allowed: a file[^\n]*\n$" "s ${epoch} --save -")

# Standard output that is a file: what was printed stays.
foreach(file "/dev/stdout" "/proc/self/fd/1" "/dev/fd/1" "printed.txt" "./printed_link")
  shell(0 "^$" "ln -sf printed.txt printed_link; s info --json ${file} > printed.txt")
  file(READ "${WORK}/printed.txt" text)
  if(NOT text MATCHES "^simdrop .*kernels.*\n{\n.*\"cpu\".*}\n$")
    message(SEND_ERROR "--json ${file} > printed.txt:\n${text}")
  endif()
endforeach()
shell(0 "^first\n{\n.*}\nlast\n$" [[
{ echo first >&5; s info --json /dev/fd/5 > /dev/null; echo last >&5; } 5> order.txt
cat order.txt]])
shell(1 "^simdrop: /dev/fd/6: can't be written: Bad file descriptor\n$"
  "s info --json /dev/fd/6 6< mode.json")
json(mode.json cpu)
shell(1 "^simdrop: /dev/fd/9: can't be written: Bad file descriptor\n$" "s info --json /dev/fd/9")

shell(1 "^simdrop: /dev/stdin: can't be written: Bad file descriptor\n$"
  "s info --json /dev/stdin < mode.json")
shell(1 "^simdrop: /dev/fd/0: can't be written: Bad file descriptor\n$" "s info --json /dev/fd/0 <&-")
json(mode.json cpu)
foreach(place /dev/fd/7 /proc/self/fd/7 /dev/stdin)
  shell(2 "^simdrop: --save ${place}: not to what is open already; allowed: [^\n]*\n$"
    "s ${epoch} --save ${place} 7< mode.json < mode.json")
endforeach()

# A reader that goes, and a file that may not grow: errors, and nothing is left behind.
shell(1 "^simdrop: left: write failed: Broken pipe\n$" [[
mkfifo left; (exec 8< left; sleep .2) & s train --data moons --epochs 200 --layers 2,4,1 --json left > /dev/null]])
shell(1 "^simdrop: grown.st: write failed: File too large\n$"
  "(ulimit -f 1; s train --data moons --layers 2,64,64,1 --threads 1 --save grown.st > /dev/null)")
shell(0 "^$" "ls -A | grep -E '^grown|[.]tmp' | cat")

# Standard output that is closed: no file of the program takes its place.
shell(1 "^simdrop: standard output: can't be written: Bad file descriptor\n$" "s info --json - >&-")
shell(1 "^simdrop: standard output: write failed\n$" "s info --json closed.json >&-")
shell(1 "^simdrop: standard output: write failed\n$" "s ${epoch} --save closed.st <&- >&-")
shell(0 "^$" "s info --json no_errors.json 2>&- >/dev/null && test ! -e closed.json && test ! -e closed.st")
json(no_errors.json cpu)

# A run that is interrupted leaves nothing; what was there stays.
shell(124 "^$" "echo old > stopped.json
timeout -s INT 1 '${program}' train --data moons --epochs 1000000 --json stopped.json > /dev/null")
shell(0 "^old\n$" "cat stopped.json")

# Options that name one file: an error before anything is done.
shell(0 "^$" "mkdir there; ln -s there again; touch x y z w; echo old > old; ln old hard; ln -s none dangling")
foreach(pair "one one" "./one one" "one .//one" "there/one again/one" "one again/../one" "old old"
        "old hard" "dangling none" "none dangling" "${WORK}/one one" "again/../old hard")
  separate_arguments(pair)
  list(GET pair 0 json)
  list(GET pair 1 save)
  string(REGEX REPLACE "([.+])" "\\\\\\1" names "--json ${json}: the same file as --save ${save}")
  shell(2 "^simdrop: ${names}\n$" "s ${epoch} --json ${json} --save ${save}")
endforeach()
shell(0 "^old\n$" "cat old; test ! -e one && test ! -e there/one && test ! -e none")
shell(0 "^$" "s ${epoch} --json there/two --save two > /dev/null")
shell(0 "^$" "s train --resume two --epochs 1 2>/dev/null; s ${epoch} --lr-schedule constant --save run > /dev/null
s train --resume run --save ./run --epochs 2 --json run.json --no-sync > /dev/null")
shell(2 "^simdrop: --json ./run: the same file as --resume run\n$"
  "s train --resume run --epochs 3 --json ./run")
set(data "train --train-images x --train-labels y --test-images z --test-labels w")
shell(2 "^simdrop: --json ./x: the same file as --train-images x\n$" "s ${data} --json ./x")
shell(2 "^simdrop: --json w: the same file as --test-labels w\n$" "s ${data} --json w")
shell(2 "^simdrop: --save y: the same file as --train-labels y\n$" "s ${data} --save y")
shell(2 "^simdrop: --save z: the same file as --test-images z\n$" "s ${data} --save z --json x")
shell(2 "^simdrop: --save again/t10k-labels-idx1-ubyte: the same file as --data there/t10k-labels[^\n]*\n$"
  "for f in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do touch there/$f-ubyte; done
s train --data there --save again/t10k-labels-idx1-ubyte")
shell(2 "^simdrop: --save out.st: the same file as standard output /dev/stdout\n$"
  "s ${epoch} --save out.st 2>&1 > out.st")
shell(2 "^simdrop: --save err.st: the same file as standard error /dev/stderr\n$"
  "s ${epoch} --save err.st 2> err.st; c=$?; cat err.st; exit $c")
