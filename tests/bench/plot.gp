# SPDX-License-Identifier: MIT
#
# Bars for each row, one a contender, in the panels that belong together.
# Called with input= and output= by tests/bench/bench.mk.

set datafile separator "\t"
set datafile missing "?"
set terminal pngcairo size 2000,2400 font "sans,11" background "white"
set output output

columns = int(system("head -n 1 '".input."' | tr '\\t' '\\n' | wc -l"))

set style data histograms
set style histogram clustered gap 1.5
set style fill solid 0.9 border lt -1

# kmem is red, whoever else takes part
colours = "#cccccc #d62728 #ff9896 #7f7f7f #1f77b4 #2ca02c #9467bd #8c564b #17becf #bcbd22 #e377c2 #aec7e8 #98df8a #c5b0d5 #c49c94 #dbdb8d"
set logscale y
set grid ytics
set xtics rotate by 20 right scale 0 noenhanced
set key top left horizontal noenhanced
set yrange [1:*]
set ylabel "ns, log scale"

panel(pattern) = "< head -n 1 '".input."'; grep -E '".pattern."' '".input."'"

set multiplot layout 6,1
set title "hot pair, bulk, traces"
plot for [i=2:columns] panel("^(hot|bulk|trace)") using i:xtic(1) lc rgb word(colours, i - 1) title columnheader(i)
unset key
set title "batches of 64 and 1,000"
plot for [i=2:columns] panel("^batch (64|1 k) ") using i:xtic(1) lc rgb word(colours, i - 1) title columnheader(i)
set title "batches of 100,000"
plot for [i=2:columns] panel("^batch 100 k ") using i:xtic(1) lc rgb word(colours, i - 1) title columnheader(i)
set title "random replacement; several threads"
plot for [i=2:columns] panel("^(replacement|producer|larson|both)") using i:xtic(1) lc rgb word(colours, i - 1) title columnheader(i)
set title "pages"
plot for [i=2:columns] panel("^pages") using i:xtic(1) lc rgb word(colours, i - 1) title columnheader(i)
set title "one allocation: latency (ns); instructions"
plot for [i=2:columns] panel("^(one|instructions)") using i:xtic(1) lc rgb word(colours, i - 1) title columnheader(i)
unset multiplot
