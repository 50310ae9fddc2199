login bash .bashrc 'printf "Schleuse. Zugriffe werden protokolliert.\n"'
