import CommandLineInterface

FreshpycCommand.main()
